import { DataTypes, type Model, type ModelAttributeColumnOptions, type ModelStatic, type Sequelize } from 'sequelize';

/*
 * The models serve reads and the small writes of administration and carts. Rows are read raw (plain objects): building
 * model instances would double the cost of a read. The schema itself is the migrations'.
 */

export interface UserRow {
  id: string;
  name: string;
  balance: number;
  balance_version: number;
}
export interface ChargeRow {
  user_id: string;
  balance_version: number;
  amount: number;
  previous_balance: number;
  current_balance: number;
  idempotency_key: string;
  charged_at: Date;
}
export interface ProductRow {
  id: string;
  name: string;
  category: string;
  price: number;
  created_at: Date;
}
export interface StockRow {
  product_id: string;
  quantity: number;
}
export interface CartRow {
  id: string;
  user_id: string;
}
export interface CartItemRow {
  id: string;
  cart_id: string;
  product_id: string;
  quantity: number;
}
export interface CouponRow {
  id: string;
  name: string;
  discount_type: 'FIXED' | 'PERCENT';
  discount_value: number;
  min_order_amount: number;
  max_discount_amount: number | null;
  total_quantity: number;
  issued_quantity: number;
  remaining_quantity: number;
  generation: string;
  valid_from: Date;
  valid_until: Date;
  created_at: Date;
}
export interface UserCouponRow {
  user_id: string;
  coupon_id: string;
  status: 'AVAILABLE' | 'USED';
  idempotency_key: string | null;
  stream_id: string;
  topic_partition: number;
  topic_offset: number;
  accepted_at: Date;
  issued_at: Date;
  used_at: Date | null;
}
export interface CouponRejectionRow {
  coupon_id: string;
  user_id: string;
  stream_id: string;
  generation: string;
  reason: string;
  topic_partition: number;
  topic_offset: number;
  rejected_at: Date;
}
export interface OrderRow {
  id: string;
  user_id: string;
  coupon_id: string | null;
  total_amount: number;
  discount_amount: number;
  final_amount: number;
  status: 'PAID';
  idempotency_key: string;
  created_at: Date;
}
export interface OrderItemRow {
  order_id: string;
  product_id: string;
  product_name: string;
  price: number;
  quantity: number;
  subtotal: number;
}
export interface PaymentRow {
  order_id: string;
  user_id: string;
  amount: number;
  previous_balance: number;
  current_balance: number;
  balance_version: number;
  paid_at: Date;
}

type Columns<Row> = Record<keyof Row & string, ModelAttributeColumnOptions>;
type Table<Row extends object> = ModelStatic<Model<Row, Partial<Row>>>;

// Sequelize writes into the column objects it is given: each column has its own.
const key = () => ({ type: DataTypes.STRING(64), primaryKey: true });
const ref = () => ({ type: DataTypes.STRING(64) });
const text = () => ({ type: DataTypes.STRING });
const won = () => ({ type: DataTypes.BIGINT });
const int = () => ({ type: DataTypes.INTEGER });
const time = () => ({ type: DataTypes.DATE(3) });
/** Filled in by the database on insert. */
const createdTime = () => ({ type: DataTypes.DATE(3), allowNull: true });

export type Models = ReturnType<typeof defineModels>;

export function defineModels(sequelize: Sequelize) {
  const table = <Row extends object>(tableName: string, columns: Columns<Row>) =>
    sequelize.define(tableName, columns, { tableName }) as unknown as Table<Row>;
  return {
    users: table<UserRow>('users', { id: key(), name: text(), balance: won(), balance_version: won() }),
    charges: table<ChargeRow>('balance_charge_history', {
      user_id: key(),
      balance_version: { ...won(), primaryKey: true },
      amount: won(),
      previous_balance: won(),
      current_balance: won(),
      idempotency_key: ref(),
      charged_at: time(),
    }),
    products: table<ProductRow>('products', {
      id: key(),
      name: text(),
      category: text(),
      price: won(),
      created_at: createdTime(),
    }),
    stocks: table<StockRow>('stocks', { product_id: key(), quantity: won() }),
    carts: table<CartRow>('carts', { id: key(), user_id: ref() }),
    cartItems: table<CartItemRow>('cart_items', { id: key(), cart_id: ref(), product_id: ref(), quantity: int() }),
    coupons: table<CouponRow>('coupons', {
      id: key(),
      name: text(),
      discount_type: text(),
      discount_value: won(),
      min_order_amount: won(),
      max_discount_amount: won(),
      total_quantity: won(),
      issued_quantity: won(),
      remaining_quantity: won(),
      generation: ref(),
      valid_from: time(),
      valid_until: time(),
      created_at: createdTime(),
    }),
    userCoupons: table<UserCouponRow>('user_coupons', {
      user_id: key(),
      coupon_id: key(),
      status: text(),
      idempotency_key: ref(),
      stream_id: ref(),
      topic_partition: int(),
      topic_offset: won(),
      accepted_at: time(),
      issued_at: time(),
      used_at: time(),
    }),
    couponRejections: table<CouponRejectionRow>('coupon_rejections', {
      coupon_id: key(),
      user_id: key(),
      stream_id: key(),
      generation: ref(),
      reason: text(),
      topic_partition: int(),
      topic_offset: won(),
      rejected_at: time(),
    }),
    orders: table<OrderRow>('orders', {
      id: key(),
      user_id: ref(),
      coupon_id: ref(),
      total_amount: won(),
      discount_amount: won(),
      final_amount: won(),
      status: text(),
      idempotency_key: ref(),
      created_at: time(),
    }),
    orderItems: table<OrderItemRow>('order_items', {
      order_id: key(),
      product_id: key(),
      product_name: text(),
      price: won(),
      quantity: int(),
      subtotal: won(),
    }),
    payments: table<PaymentRow>('payments', {
      order_id: key(),
      user_id: ref(),
      amount: won(),
      previous_balance: won(),
      current_balance: won(),
      balance_version: won(),
      paid_at: time(),
    }),
  };
}
