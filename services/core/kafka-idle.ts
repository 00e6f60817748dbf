import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * kafkajs 2.2.4 looks for requests to send again after `throttledUntil - now`, which is negative where no broker throttles:
 * a timer of 1 ms for ever, on every connection (6 % of a core in a process that does nothing). A look is needed only while
 * requests are pending; each request that becomes pending, and each answer, asks for one by itself.
 */
const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
  if (this.pending.length > 0) schedule.call(this);
};
