/** Short messages at a terminal: those that it has the network send, and those that it receives. */

export interface ShortMessage {
  readonly to: string;
  readonly text: string;
}

export interface ReceivedShortMessage {
  readonly from: string;
  readonly userData: Uint8Array;
  /** TP-UDHI: the user data begins with its header. USSD has none. */
  readonly hasHeader: boolean;
}
