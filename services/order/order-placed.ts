/** The event of a placed order, as it stands in the outbox and in the order topic. Money is whole won. */
export interface OrderPlaced {
  orderId: string;
  userId: string;
  couponId: string | null;
  finalAmount: number;
  /** ISO 8601, UTC. */
  createdAt: string;
  items: { productId: string; quantity: number }[];
}
