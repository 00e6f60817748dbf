/** What the APIs are compared with: one charge, or one order of three products, a transaction. */
export interface RawLoad {
  kind: 'charge' | 'order';
  /** Users that it is spread over. */
  users: number;
}

export interface RawRun {
  label: string;
  perSecond: number;
}
