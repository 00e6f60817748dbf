import type { Sequelize } from 'sequelize';
import { type Route, route } from '../core/http/serve.ts';
import type { Models } from '../database/models.ts';
import { addItem } from './add.ts';
import { changeItem } from './change.ts';
import { addItemEndpoint, changeItemEndpoint, readCartEndpoint, removeItemEndpoint } from './contract.ts';
import { readCart } from './read.ts';
import { removeItem } from './remove.ts';

export function cartRoutes(deps: { models: Models; sequelize: Sequelize }): Route[] {
  return [
    route(readCartEndpoint, ({ query }) => readCart(deps.models, query.userId)),
    route(addItemEndpoint, ({ body, deadline }) => addItem(deps, body, deadline)),
    route(changeItemEndpoint, ({ params, query, body, deadline }) =>
      changeItem(deps, { ...params, ...query, ...body }, deadline),
    ),
    route(removeItemEndpoint, ({ params, query, deadline }) => removeItem(deps, { ...params, ...query }, deadline)),
  ];
}
