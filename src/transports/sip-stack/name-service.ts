/** The name service as a port: records as the resolver needs them (RFC 2782, RFC 3403). */

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

/** The name service as the resolver needs it; unknown names give an empty list or reject, which counts the same. */
export interface NameService {
  addresses(host: string): Promise<readonly string[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** Absent: there are none. */
  naptr?(name: string): Promise<readonly NaptrRecord[]>;
  close(): void;
}
