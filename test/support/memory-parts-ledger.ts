/** The memory twin of the ledger of parts. */
import {
  type CarriedMessage,
  type CarriedPart,
  joinPart,
  type PartName,
  type PartReceipt,
  type PartState,
  type PartsLedger,
  type PartsRecord,
} from '../../src/push/parts.js';

const nameKey = ({ centre, id, address }: PartName) => `${centre} ${id} ${address}`;
const messageKey = ({ id, terminal }: CarriedMessage) => `${id} ${terminal}`;

export class MemoryPartsLedger implements PartsLedger {
  readonly #messages = new Map<string, { reference: number; sender?: string; parts: PartState[] }>();
  readonly #names = new Map<string, CarriedPart>();
  readonly #early = new Map<string, PartReceipt>();
  readonly #references = new Map<string, number>();

  async open(message: CarriedMessage, { address }: { readonly address: string }): Promise<PartsRecord> {
    const known = this.#messages.get(messageKey(message));
    if (known) return { ...known, parts: [...known.parts] };
    const reference = (this.#references.get(address) ?? 0) + 1;
    this.#references.set(address, reference);
    return this.#message(message, reference);
  }

  async raise(
    part: CarriedPart,
    state: PartState,
    { sender }: { readonly sender?: string },
  ): Promise<readonly PartState[]> {
    const message = this.#message(part, 0);
    if (sender !== undefined) message.sender ??= sender;
    message.parts[part.number - 1] = joinPart(message.parts[part.number - 1] ?? 'open', state);
    return [...message.parts];
  }

  async note(
    part: CarriedPart,
    name: PartName,
    aliases: readonly PartName[],
  ): Promise<PartReceipt | undefined> {
    this.#names.set(nameKey(name), part);
    let found: PartReceipt | undefined;
    for (const alias of aliases.map(nameKey)) {
      found ??= this.#early.get(alias);
      this.#early.delete(alias);
    }
    return found;
  }

  async find(names: readonly PartName[]): Promise<CarriedPart | undefined> {
    return names.map((name) => this.#names.get(nameKey(name))).find((part) => part !== undefined);
  }

  async findOrKeep(
    names: readonly PartName[],
    { name, receipt }: { readonly name: PartName; readonly receipt: PartReceipt },
  ): Promise<CarriedPart | undefined> {
    const found = await this.find(names);
    if (!found) this.#early.set(nameKey(name), receipt);
    return found;
  }

  #message(
    message: CarriedMessage,
    reference: number,
  ): { reference: number; sender?: string; parts: PartState[] } {
    const known = this.#messages.get(messageKey(message));
    if (known) return known;
    const parts = Array.from({ length: message.total }, (): PartState => 'open');
    const made = { reference, parts };
    this.#messages.set(messageKey(message), made);
    return made;
  }
}
