/**
 * Long work beside a page, or beside Node's main thread.
 *
 * @module @gmml/tensor/worker
 */

export { serveTasks, type Task, type TaskContext } from './worker/serveTasks.js';
export { TaskWorker, WorkerError, workerPort, type Abortable, type RunOptions } from './worker/taskWorker.js';
export type { Port } from './worker/messages.js';
