/**
 * Push initiators from untrusted JSON: the body of the admin API's PUT, and what the configuration says of one. Every refusal
 * names the path (`rights.addresses[2]: …`). Unknown keys are refused, so that a misspelt restriction is not silently
 * without effect. Passwords are hashed by the caller: this file only says which one is meant.
 */
import { z } from 'zod';
import { MIB } from '../kernel/units.js';
import {
  type InitiatorAttributes,
  type InitiatorLimits,
  type InitiatorRights,
  type InitiatorTrust,
  initiatorPassword,
} from './initiator.js';
import { type CertificateName, certificateFingerprint, certificateSubject } from './initiator-certificate.js';
import { canonicalNetwork } from './initiator-networks.js';
import { addressPattern, applicationPattern, uriPattern } from './initiator-pattern.js';
import { at, each, readBySchema, withoutUndefined } from './untrusted-json.js';

/** The most that one initiator may have of each. */
export const INITIATOR_MAXIMA = {
  patterns: 256,
  certificates: 32,
  sourceNetworks: 64,
  pushesPerSecond: 100_000,
  burst: 1_000_000,
  pendingPushes: 100_000_000,
  pendingBytes: 1_048_576 * MIB,
  maxContentBytes: 1024 * MIB,
  maxAddresses: 100_000,
} as const;

/** What a PUT asks for. An absent property stays as it is, so that a new password does not lift a restriction; null removes it. */
export interface InitiatorChange {
  readonly password?: string | null;
  readonly certificates?: readonly CertificateName[] | null;
  readonly rights?: InitiatorRights | null;
  readonly limits?: InitiatorLimits | null;
  readonly trust?: InitiatorTrust | null;
  readonly sourceNetworks?: readonly string[] | null;
}

const list = (max: number) =>
  z.array(z.string()).min(1, 'empty: leave it out, or name what is allowed').max(max);
const whole = (max: number) => z.int().min(1).max(max);

const rightsSchema = z.strictObject({
  addresses: list(INITIATOR_MAXIMA.patterns).optional(),
  applicationIds: list(INITIATOR_MAXIMA.patterns).optional(),
});

const trustSchema = z.strictObject({
  initiatorUris: list(INITIATOR_MAXIMA.patterns).optional(),
  content: z.boolean().optional(),
});

const limitsSchema = z
  .strictObject({
    pushesPerSecond: z.number().min(0.001).max(INITIATOR_MAXIMA.pushesPerSecond).optional(),
    burst: whole(INITIATOR_MAXIMA.burst).optional(),
    pendingPushes: whole(INITIATOR_MAXIMA.pendingPushes).optional(),
    pendingBytes: whole(INITIATOR_MAXIMA.pendingBytes).optional(),
    maxContentBytes: whole(INITIATOR_MAXIMA.maxContentBytes).optional(),
    maxAddresses: whole(INITIATOR_MAXIMA.maxAddresses).optional(),
  })
  .refine(({ burst, pushesPerSecond }) => burst === undefined || pushesPerSecond !== undefined, {
    path: ['burst'],
    message: 'means nothing without pushesPerSecond',
  });

const certificateSchema = z
  .strictObject({ sha256: z.string().optional(), subject: z.string().optional() })
  .refine(
    ({ sha256, subject }) => (sha256 === undefined) !== (subject === undefined),
    'has to have sha256 or subject',
  );

const changeSchema = z
  .strictObject({
    password: z.string().nullable().optional(),
    certificates: z
      .array(certificateSchema)
      .min(1, 'empty: null removes them all')
      .max(INITIATOR_MAXIMA.certificates)
      .nullable()
      .optional(),
    rights: rightsSchema.nullable().optional(),
    limits: limitsSchema.nullable().optional(),
    trust: trustSchema.nullable().optional(),
    sourceNetworks: list(INITIATOR_MAXIMA.sourceNetworks).nullable().optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    path: ['password'],
    message: 'absent, and so is everything else; null makes an initiator without one',
  });

/** Reads the body of a PUT; everything in it in canonical form. Throws DecodeError naming the path. */
export function initiatorChangeFromJson(body: unknown): InitiatorChange {
  const { password, certificates, rights, limits, trust, sourceNetworks } = readBySchema(changeSchema, body);
  return {
    ...(password === undefined ? {} : { password: password === null ? null : initiatorPassword(password) }),
    ...(certificates === undefined
      ? {}
      : { certificates: certificates === null ? null : certificates.map(certificateName) }),
    ...(rights === undefined ? {} : { rights: rights && rightsFrom(rights) }),
    ...(limits === undefined ? {} : { limits: limits && withoutUndefined(limits) }),
    ...(trust === undefined ? {} : { trust: trust && trustFrom(trust) }),
    ...(sourceNetworks === undefined
      ? {}
      : { sourceNetworks: sourceNetworks && distinct('sourceNetworks', sourceNetworks, canonicalNetwork) }),
  };
}

/** The attributes after the change; `passwordHash` is that of the new password. Tokens are not changed this way. */
export function changedInitiator(
  before: InitiatorAttributes | undefined,
  change: InitiatorChange,
  passwordHash: string | undefined,
): InitiatorAttributes {
  const after = {
    passwordHash: change.password === null ? undefined : (passwordHash ?? before?.passwordHash),
    tokens: before?.tokens,
    certificates: keptOr(change.certificates, before?.certificates),
    rights: keptOr(change.rights, before?.rights),
    limits: keptOr(change.limits, before?.limits),
    trust: keptOr(change.trust, before?.trust),
    sourceNetworks: keptOr(change.sourceNetworks, before?.sourceNetworks),
  };
  return withoutUndefined(after);
}

function keptOr<T>(wanted: T | null | undefined, before: T | undefined): T | undefined {
  return wanted === undefined ? before : (wanted ?? undefined);
}

function certificateName(
  { sha256, subject }: z.output<typeof certificateSchema>,
  index: number,
): CertificateName {
  const path = `certificates[${index}]`;
  return sha256 === undefined
    ? { subject: at(`${path}.subject`, () => certificateSubject(subject ?? '')) }
    : { sha256: at(`${path}.sha256`, () => certificateFingerprint(sha256)) };
}

function rightsFrom({ addresses, applicationIds }: z.output<typeof rightsSchema>): InitiatorRights {
  return withoutUndefined({
    addresses: addresses && distinct('rights.addresses', addresses, addressPattern),
    applicationIds: applicationIds && distinct('rights.applicationIds', applicationIds, applicationPattern),
  });
}

function trustFrom({ initiatorUris, content }: z.output<typeof trustSchema>): InitiatorTrust {
  return withoutUndefined({
    initiatorUris: initiatorUris && distinct('trust.initiatorUris', initiatorUris, uriPattern),
    content,
  });
}

/** Each once, as it is kept. */
function distinct(path: string, texts: readonly string[], read: (text: string) => string): readonly string[] {
  return [...new Set(each(path, texts, read))];
}
