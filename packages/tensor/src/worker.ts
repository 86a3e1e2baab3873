// The subpath @gmml/tensor/worker: long work beside a page, or beside Node's main thread.
export { serveTasks, type Task, type TaskContext } from './worker/serveTasks.js';
export { TaskWorker, WorkerError, workerPort, type Abortable, type RunOptions } from './worker/taskWorker.js';
export type { Port } from './worker/messages.js';
