/** The part of kafkajs's own queue of requests to one broker that core/kafka-idle.ts changes. It comes without types. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}
