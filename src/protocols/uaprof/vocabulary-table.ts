/**
 * The attributes of the UAProf vocabulary (OMA UAProf 2.0 appendix A): the component that each belongs to, how its values are held
 * and how two values compare. An attribute that is not here is kept under the component that it came in.
 */

export const UAPROF_COMPONENTS = [
  'HardwarePlatform',
  'SoftwarePlatform',
  'NetworkCharacteristics',
  'BrowserUA',
  'WapCharacteristics',
  'PushCharacteristics',
  'MmsCharacteristics',
] as const;
export type UaProfComponent = (typeof UAPROF_COMPONENTS)[number];

export interface UaProfTerm {
  readonly component: UaProfComponent;
  /** `bag` and `seq` hold several values; the others hold one. */
  readonly form: 'literal' | 'number' | 'boolean' | 'dimension' | 'bag' | 'seq';
}

const rows = <Form extends UaProfTerm['form']>(component: UaProfComponent, form: Form, names: string) =>
  names.split(' ').map((name) => [name, { component, form }] as const);

export const UAPROF_VOCABULARY: ReadonlyMap<string, UaProfTerm> = new Map<string, UaProfTerm>([
  ...rows('HardwarePlatform', 'literal', 'CPU Keyboard Model PointingResolution Vendor'),
  ...rows('HardwarePlatform', 'number', 'BitsPerPixel NumberOfSoftKeys'),
  ...rows('HardwarePlatform', 'dimension', 'PixelAspectRatio ScreenSize ScreenSizeChar'),
  ...rows(
    'HardwarePlatform',
    'boolean',
    'ColorCapable ImageCapable SoundOutputCapable StandardFontProportional TextInputCapable VoiceInputCapable',
  ),
  ...rows('HardwarePlatform', 'bag', 'BluetoothProfile InputCharSet OutputCharSet'),

  ...rows(
    'SoftwarePlatform',
    'literal',
    'MexeSpec OSName OSVendor OSVersion RecipientAppAgent SoftwareNumber',
  ),
  ...rows('SoftwarePlatform', 'boolean', 'AcceptDownloadableSoftware JavaEnabled MexeSecureDomains'),
  ...rows(
    'SoftwarePlatform',
    'bag',
    'AudioInputEncoder CcppAccept CcppAccept-Charset CcppAccept-Encoding DownloadableSoftwareSupport Email-URI-Schemes JVMVersion JavaPlatform MexeClassmarks VideoInputEncoder',
  ),
  ...rows('SoftwarePlatform', 'seq', 'CcppAccept-Language'),

  ...rows('NetworkCharacteristics', 'literal', 'CurrentBearerService SupportedBluetoothVersion'),
  ...rows('NetworkCharacteristics', 'bag', 'SecuritySupport SupportedBearers'),

  ...rows('BrowserUA', 'literal', 'BrowserName BrowserVersion HtmlVersion JavaScriptVersion XhtmlVersion'),
  ...rows(
    'BrowserUA',
    'boolean',
    'FramesCapable JavaAppletEnabled JavaScriptEnabled PreferenceForFrames TablesCapable',
  ),
  ...rows('BrowserUA', 'bag', 'DownloadableBrowserApps XhtmlModules'),

  ...rows('WapCharacteristics', 'literal', 'WapDeviceClass WapVersion WtaVersion'),
  ...rows('WapCharacteristics', 'number', 'WmlDeckSize'),
  ...rows('WapCharacteristics', 'boolean', 'OmaDownload'),
  ...rows(
    'WapCharacteristics',
    'bag',
    'DrmClass DrmConstraints SupportedPictogramSet WmlScriptLibraries WmlScriptVersion WmlVersion WtaiLibraries',
  ),

  ...rows(
    'PushCharacteristics',
    'bag',
    'Push-Accept Push-Accept-AppID Push-Accept-Charset Push-Accept-Encoding',
  ),
  ...rows('PushCharacteristics', 'seq', 'Push-Accept-Language'),
  ...rows('PushCharacteristics', 'number', 'Push-MaxPushReq Push-MsgSize'),

  ...rows('MmsCharacteristics', 'number', 'MmsMaxMessageSize'),
  ...rows('MmsCharacteristics', 'dimension', 'MmsMaxImageResolution'),
  ...rows('MmsCharacteristics', 'boolean', 'MmsCcppStreamingCapable'),
  ...rows('MmsCharacteristics', 'bag', 'MmsCcppAccept MmsCcppAcceptCharSet MmsCcppAcceptEncoding MmsVersion'),
  ...rows('MmsCharacteristics', 'seq', 'MmsCcppAcceptLanguage'),
]);

/** RDF syntax, and the namespaces of the vocabulary: one for each version that was published, by either forum. */
export const RDF_NAMESPACE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
export const RDFS_NAMESPACE = 'http://www.w3.org/2000/01/rdf-schema#';
/** The version that we write. */
export const UAPROF_NAMESPACE = 'http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20030226#';

/** True for any published version of the vocabulary, and for CC/PP itself, whose structure UAProf takes over. */
export function isProfileNamespace(namespace: string): boolean {
  return /\/(?:uaprof\/)?ccppschema-\d{8}#?$|^http:\/\/www\.w3\.org\/\d{4}\/\d{2}\/\d{2}-ccpp(?:-schema)?#$/i.test(
    namespace,
  );
}
