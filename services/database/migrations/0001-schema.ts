import type { Migration } from '../migration.ts';

const id = 'VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin';
const wonMax = Number.MAX_SAFE_INTEGER;

/**
 * Tables in the order in which they reference one another by id. There are no foreign keys between the hot tables: the
 * insert of a child takes a shared lock on its parent and deadlocks with the parent's update. The verifier looks for orphans.
 */
const tables = [
  `CREATE TABLE users (
    id ${id} NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    balance BIGINT NOT NULL DEFAULT 0,
    balance_version BIGINT NOT NULL DEFAULT 0,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    CONSTRAINT ck_users_balance CHECK (balance BETWEEN 0 AND ${wonMax})
  )`,
  // The key is the wallet's own history in order: no second index is needed to page or to verify it.
  `CREATE TABLE balance_charge_history (
    user_id ${id} NOT NULL,
    balance_version BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    previous_balance BIGINT NOT NULL,
    current_balance BIGINT NOT NULL,
    idempotency_key ${id} NOT NULL,
    charged_at DATETIME(3) NOT NULL,
    PRIMARY KEY (user_id, balance_version),
    UNIQUE KEY uk_charge_key (user_id, idempotency_key),
    CONSTRAINT ck_charge_amount CHECK (amount BETWEEN 1 AND 1000000000),
    CONSTRAINT ck_charge_sum CHECK (current_balance = previous_balance + amount)
  )`,
  `CREATE TABLE products (
    id ${id} NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    category VARCHAR(64) NOT NULL,
    price BIGINT NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    KEY idx_category (category),
    CONSTRAINT ck_products_price CHECK (price BETWEEN 0 AND 1000000000)
  )`,
  `CREATE TABLE stocks (
    product_id ${id} NOT NULL PRIMARY KEY,
    quantity BIGINT NOT NULL,
    CONSTRAINT ck_stocks_quantity CHECK (quantity >= 0)
  )`,
  `CREATE TABLE carts (
    id ${id} NOT NULL PRIMARY KEY,
    user_id ${id} NOT NULL,
    UNIQUE KEY uk_cart_user (user_id)
  )`,
  // uk_cart_product begins with the product on purpose: a cart is read through idx_cart_id.
  `CREATE TABLE cart_items (
    id ${id} NOT NULL PRIMARY KEY,
    cart_id ${id} NOT NULL,
    product_id ${id} NOT NULL,
    quantity INT NOT NULL,
    KEY idx_cart_id (cart_id),
    UNIQUE KEY uk_cart_product (product_id, cart_id),
    CONSTRAINT ck_cart_items_quantity CHECK (quantity BETWEEN 1 AND 10000)
  )`,
  `CREATE TABLE coupons (
    id ${id} NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    discount_type VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    discount_value BIGINT NOT NULL,
    min_order_amount BIGINT NOT NULL DEFAULT 0,
    max_discount_amount BIGINT NULL,
    total_quantity BIGINT NOT NULL,
    issued_quantity BIGINT NOT NULL DEFAULT 0,
    remaining_quantity BIGINT GENERATED ALWAYS AS (total_quantity - issued_quantity) VIRTUAL,
    generation ${id} NOT NULL,
    valid_from DATETIME(3) NOT NULL,
    valid_until DATETIME(3) NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    CONSTRAINT ck_coupons_type CHECK (discount_type IN ('FIXED', 'PERCENT')),
    CONSTRAINT ck_coupons_value CHECK (discount_value >= 1 AND (discount_type <> 'PERCENT' OR discount_value <= 100)),
    CONSTRAINT ck_coupons_issued CHECK (issued_quantity BETWEEN 0 AND total_quantity),
    CONSTRAINT ck_coupons_period CHECK (valid_from < valid_until)
  )`,
  `CREATE TABLE user_coupons (
    user_id ${id} NOT NULL,
    coupon_id ${id} NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'AVAILABLE',
    idempotency_key ${id} NULL,
    stream_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic_partition INT NOT NULL,
    topic_offset BIGINT NOT NULL,
    accepted_at DATETIME(3) NOT NULL,
    issued_at DATETIME(3) NOT NULL,
    used_at DATETIME(3) NULL,
    PRIMARY KEY (user_id, coupon_id),
    KEY idx_coupon_id (coupon_id),
    CONSTRAINT ck_user_coupons_status CHECK (status IN ('AVAILABLE', 'USED')),
    CONSTRAINT ck_user_coupons_used CHECK ((status = 'USED') = (used_at IS NOT NULL))
  )`,
  `CREATE TABLE coupon_rejections (
    coupon_id ${id} NOT NULL,
    user_id ${id} NOT NULL,
    stream_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation ${id} NOT NULL,
    reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic_partition INT NOT NULL,
    topic_offset BIGINT NOT NULL,
    rejected_at DATETIME(3) NOT NULL,
    PRIMARY KEY (coupon_id, user_id, stream_id)
  )`,
  `CREATE TABLE orders (
    id ${id} NOT NULL PRIMARY KEY,
    user_id ${id} NOT NULL,
    coupon_id ${id} NULL,
    total_amount BIGINT NOT NULL,
    discount_amount BIGINT NOT NULL,
    final_amount BIGINT NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    idempotency_key ${id} NOT NULL,
    created_at DATETIME(3) NOT NULL,
    KEY idx_user_id (user_id, created_at),
    UNIQUE KEY uk_order_key (user_id, idempotency_key),
    CONSTRAINT ck_orders_status CHECK (status IN ('PAID')),
    CONSTRAINT ck_orders_amounts CHECK (discount_amount >= 0 AND final_amount >= 0 AND final_amount = total_amount - discount_amount)
  )`,
  `CREATE TABLE order_items (
    order_id ${id} NOT NULL,
    product_id ${id} NOT NULL,
    product_name VARCHAR(200) NOT NULL,
    price BIGINT NOT NULL,
    quantity INT NOT NULL,
    subtotal BIGINT NOT NULL,
    PRIMARY KEY (order_id, product_id),
    CONSTRAINT ck_order_items_quantity CHECK (quantity >= 1),
    CONSTRAINT ck_order_items_subtotal CHECK (subtotal = price * quantity)
  )`,
  `CREATE TABLE payments (
    order_id ${id} NOT NULL PRIMARY KEY,
    user_id ${id} NOT NULL,
    amount BIGINT NOT NULL,
    previous_balance BIGINT NOT NULL,
    current_balance BIGINT NOT NULL,
    balance_version BIGINT NOT NULL,
    paid_at DATETIME(3) NOT NULL,
    UNIQUE KEY uk_payment_version (user_id, balance_version),
    CONSTRAINT ck_payments_amount CHECK (amount >= 0),
    CONSTRAINT ck_payments_sum CHECK (current_balance = previous_balance - amount AND current_balance >= 0)
  )`,
  `CREATE TABLE outbox_events (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    aggregate_id ${id} NOT NULL,
    event_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payload JSON NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'PENDING',
    attempts INT NOT NULL DEFAULT 0,
    next_attempt_at DATETIME(3) NOT NULL,
    last_error VARCHAR(255) NULL,
    created_at DATETIME(3) NOT NULL,
    published_at DATETIME(3) NULL,
    KEY idx_status (status, id),
    UNIQUE KEY uk_outbox_event (aggregate_id, event_type),
    CONSTRAINT ck_outbox_status CHECK (status IN ('PENDING', 'PUBLISHED', 'FAILED'))
  )`,
  // What the verifier compares against: kind wallet (value = won, version = balance_version), stock (value = quantity),
  // and kind seed, id epoch (value = milliseconds of the seeding).
  `CREATE TABLE run_baselines (
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id ${id} NOT NULL,
    value BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
  )`,
];

export const schema: Migration = {
  name: '0001-schema',
  async up(sequelize) {
    for (const table of tables) {
      await sequelize.query(`${table} ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4`);
    }
  },
};
