/**
 * One SMPP PDU as a value (SMPP 3.4 §3.2): what stands in its header, its mandatory fields by name, its optional parameters by tag. The
 * fields of each command are those of `command-table.ts`; the types follow from that table.
 */
import type { COMMANDS, CommandName, Field } from './command-table.js';

type ValueOf<Form> = Form extends 'octet' ? number : Form extends 'text' ? string : Uint8Array;

type FieldsOf<Name extends CommandName> = (typeof COMMANDS)[Name]['fields'][number] & Field;

/** The mandatory fields of a command by name. */
export type BodyOf<Name extends CommandName> = {
  readonly [Each in FieldsOf<Name> as Each[0]]: ValueOf<Each[1]>;
};

export type Parameters = ReadonlyMap<number, Uint8Array>;

export interface PduOf<Name extends CommandName> {
  readonly command: Name;
  /** 0 in requests and in responses that say yes (§5.1.3). */
  readonly status: number;
  /** 1 to 0x7fffffff; 0 in a generic_nack to something that had none. */
  readonly sequence: number;
  readonly body: BodyOf<Name>;
  readonly parameters: Parameters;
}

export type Pdu = { readonly [Name in CommandName]: PduOf<Name> }[CommandName];

/** A message as it is submitted and delivered. */
export type ShortMessage = BodyOf<'submit_sm'>;

export const NO_PARAMETERS: Parameters = new Map();
