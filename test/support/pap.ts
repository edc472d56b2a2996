/** PAP documents and requests for tests: the shipped DTDs as a validator, prologues, multipart bodies written by hand. */
import { loadPapValidator } from '../../src/endpoints/pap/pap-dtds.js';
import { DOCTYPE, type PapValidator, type PapVersion } from '../../src/protocols/pap/index.js';

/** One validator for the whole test process; its memory goes with the process. */
export const papValidator: PapValidator = loadPapValidator();

/** A document around the inner XML of `<pap>`, as an initiator would write it. */
export function papText(inner: string, version: PapVersion = '2.0'): string {
  const { publicId, systemId } = DOCTYPE[version];
  return `<?xml version="1.0"?>\n<!DOCTYPE pap PUBLIC "${publicId}" "${systemId}">\n<pap>${inner}</pap>`;
}

export function papBytes(inner: string, version: PapVersion = '2.0'): Uint8Array {
  return Buffer.from(papText(inner, version), 'utf8');
}

export const ADDRESS = 'WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net';

/** The inner XML of a push-message with one address. */
export function pushXml(attributes = 'push-id="7@pi.example.org"', address = ADDRESS): string {
  return `<push-message ${attributes}><address address-value="${address}"/></push-message>`;
}

/** A multipart/related body with CRLF line ends: control entity, content, whatever else. */
export function multipartBody(
  parts: readonly { readonly headers: string; readonly content: string | Uint8Array }[],
  boundary = 'b1',
): Buffer {
  const pieces = parts.flatMap(({ headers, content }) => [
    Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

export const MULTIPART_TYPE = 'multipart/related; type="application/xml"; boundary=b1';

/** A submission: the control document and a content entity. */
export function submissionBody(
  control: string | Uint8Array,
  content: string | Uint8Array = 'hello',
  contentHeaders = 'Content-Type: text/plain',
): Buffer {
  return multipartBody([
    { headers: 'Content-Type: application/xml', content: control },
    { headers: contentHeaders, content },
  ]);
}
