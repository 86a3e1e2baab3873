import { Worker } from 'node:worker_threads';
import { serveTasks, TaskWorker, WorkerError, workerPort, type TaskContext } from '@gmml/tensor/worker';
import { NotFiniteError, NotPositiveDefiniteError, ShapeError, tensor, Tensor } from '@gmml/tensor';
import { expect, onTestFinished, test } from 'vitest';

const tasks = {
  echo: (value: unknown) => value,
  sum: ({ x }: { x: Tensor }) => x.sum().item(),
  fail({ name }: { name: string }) {
    if (name === 'typed') throw new NotPositiveDefiniteError('cholesky: no.', 2, 3);
    if (name === 'range') throw new RangeError('too much');
    if (name === 'named')
      throw Object.assign(new Error('of another library'), { name: 'ShapeError', code: 5 });
    throw 'text';
  },
  async count({ to }: { to: number }, { progress, pause }: TaskContext<{ at: number; x: Tensor }>) {
    for (let at = 1; at <= to; at++) {
      progress({ at, x: tensor([at]) });
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await pause();
    }
    return to;
  },
  async late(_: null, context: TaskContext) {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- until it is aborted
        await context.pause();
      }
    } finally {
      ended.push(context.aborted);
    }
  },
};

const ended: boolean[] = [];

/** A worker in the same thread: what is posted is cloned and handed over all the same. */
function connected(): TaskWorker<typeof tasks> {
  const { port1, port2 } = new MessageChannel();
  serveTasks(tasks, port2);
  const worker = new TaskWorker<typeof tasks>(port1);
  onTestFinished(() => worker.close());
  return worker;
}

test('tensors cross in arguments and results, everything else as structuredClone has it', async () => {
  const worker = connected();
  const x = tensor(
    [
      [1, 2.5],
      [NaN, -0],
    ],
    { requiresGrad: true },
  );
  const y = tensor(3, { dtype: 'float64' });
  const date = new Date(5);
  const given = {
    x,
    list: [y, y, 'text', null, undefined],
    date,
    bytes: new Uint8Array([1, 2]),
    ['__proto__']: 1,
  };
  const got = (await worker.run('echo', given)) as typeof given;
  expect(got.x).toBeInstanceOf(Tensor);
  expect([got.x.shape, got.x.dtype, got.x.requiresGrad]).toEqual([[2, 2], 'float32', false]);
  expect([...got.x.data].map((value) => Object.is(value, -0) || value)).toEqual([1, 2.5, NaN, true]);
  const [first, second] = got.list as [Tensor, Tensor];
  expect([first.shape, first.dtype, first.item()]).toEqual([[], 'float64', 3]);
  expect(second).toBe(first);
  expect(got.list.slice(2)).toEqual(['text', null, undefined]);
  expect([got.date, got.bytes]).toEqual([date, new Uint8Array([1, 2])]);
  expect(Object.getOwnPropertyDescriptor(got, '__proto__')?.value).toBe(1);
  // Handed over was a copy.
  expect(x.data[1]).toBe(2.5);
});

test('a value that holds itself comes back so', async () => {
  const given: Record<string, unknown> = { x: tensor([1]) };
  given.self = given;
  const got = (await connected().run('echo', given)) as typeof given;
  expect(got.self).toBe(got);
  expect(got.x).toBeInstanceOf(Tensor);
});

test('holes of arrays stay holes', async () => {
  const given = [tensor([1]), , 3, ,]; // oxlint-disable-line no-sparse-arrays -- the holes are the point.
  const got = (await connected().run('echo', given)) as typeof given;
  expect([got.length, Object.keys(got)]).toEqual([4, ['0', '2']]);
});

test("a value that has a packed tensor's key crosses as it is", async () => {
  const given = { '@gmml/tensor': true, shape: [1] };
  await expect(connected().run('echo', given)).resolves.toEqual(given);
});

test('a result that cannot be read rejects', async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = new TaskWorker<typeof tasks>(port1);
  onTestFinished(() => worker.close());
  const data = new Float32Array(3);
  port2.addEventListener('message', ({ data: { kind, id } }: MessageEvent<{ kind: string; id: number }>) => {
    if (kind === 'hello') port2.postMessage({ kind: 'ready' });
    const value = { '@gmml/tensor': true, shape: [2], dtype: 'float32', data };
    if (kind === 'run') port2.postMessage({ kind: 'done', id, value });
  });
  port2.start();
  await expect(worker.run('echo', 1)).rejects.toThrow('tensor: [2] needs 2 numbers: there are 3.');
});

test('several tasks at once each have their own answer', async () => {
  const worker = connected();
  const sums = [1, 2, 3].map((value) => worker.run('sum', { x: tensor([value, value]) }));
  expect(await Promise.all(sums)).toEqual([2, 4, 6]);
});

test('errors keep their class where it is ours, and their name elsewhere', async () => {
  const worker = connected();
  const failed = (name: string): Promise<Error> =>
    worker.run('fail', { name }).then(
      () => new Error('nothing failed'),
      (error: Error) => error,
    );
  expect(await failed('typed')).toBeInstanceOf(NotPositiveDefiniteError);
  expect(await failed('typed')).toMatchObject({ message: 'cholesky: no.', matrix: 2, pivot: 3 });
  expect((await failed('typed')).stack).toMatch(
    /NotPositiveDefiniteError: cholesky: no\.\n +at Object\.fail /,
  );
  expect(await failed('range')).toMatchObject({ name: 'RangeError', message: 'too much' });
  expect(await failed('other')).toMatchObject({ name: 'Error', message: 'text' });
  expect(await failed('named')).toMatchObject({ name: 'ShapeError', message: 'of another library', code: 5 });
  await expect(worker.run('none' as 'echo', 1)).rejects.toThrow(
    "serveTasks: the task must be one of echo, sum, fail, count, late: it is 'none'.",
  );
  await expect(worker.run('toString' as 'echo', 1)).rejects.toThrow("it is 'toString'.");
  // The worker goes on.
  await expect(worker.run('sum', { x: tensor([1, Infinity]) })).resolves.toBe(Infinity);
  expect([new NotFiniteError(''), new ShapeError('')].map(({ name }) => name)).toEqual([
    'NotFiniteError',
    'ShapeError',
  ]);
});

test('progress comes in order, with tensors, before the result', async () => {
  const seen: number[] = [];
  const result = await connected().run(
    'count',
    { to: 5 },
    { onProgress: ({ at, x }) => seen.push(at, x.item()) },
  );
  expect(result).toBe(5);
  expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
});

test('an abort rejects at once with its reason, and ends the task at its next pause', async () => {
  const worker = connected();
  const controller = new AbortController();
  const running = worker.run('late', null, { signal: controller.signal });
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 5);
  await expect(running).rejects.toBe(reason);
  // A task that runs afterwards sees that the other is gone.
  await worker.run('count', { to: 3 });
  expect(ended.splice(0)).toEqual([true]);
  await expect(worker.run('echo', 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('an abort before the worker serves leaves nothing to do', async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = new TaskWorker<typeof tasks>(port1);
  onTestFinished(() => worker.close());
  const controller = new AbortController();
  const aborted = worker.run('late', null, { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  serveTasks(tasks, port2);
  await expect(worker.run('echo', 1)).resolves.toBe(1);
  expect(ended).toEqual([]);
});

test.each(['first the worker', 'first the page'])('tasks wait until the worker serves: %s', async (first) => {
  const { port1, port2 } = new MessageChannel();
  // As a worker of a page does, whose script awaits something: what comes before anybody listens is lost.
  port2.start();
  if (first === 'first the worker') {
    serveTasks(tasks, port2);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const worker = new TaskWorker<typeof tasks>(port1);
  onTestFinished(() => worker.close());
  const x = tensor([1, 2]);
  const sum = worker.run('sum', { x });
  x.data[0] = 100;
  if (first === 'first the page') {
    await new Promise((resolve) => setTimeout(resolve, 20));
    serveTasks(tasks, port2);
  }
  await expect(sum).resolves.toBe(3);
});

test('what onProgress throws rejects, and ends the task', async () => {
  const worker = connected();
  const reason = new Error('the chart is gone');
  const onProgress = () => {
    throw reason;
  };
  await expect(worker.run('count', { to: 1e9 }, { onProgress })).rejects.toBe(reason);
  await expect(worker.run('echo', 1)).resolves.toBe(1);
});

test('what cannot be posted rejects, and leaves nothing behind', async () => {
  const worker = connected();
  await expect(worker.run('echo', () => 1)).rejects.toThrow(/could not be cloned/);
  await expect(worker.run('echo', 2)).resolves.toBe(2);
});

test('a closed worker says so', async () => {
  const worker = connected();
  const running = worker.run('late', null);
  worker.close();
  await expect(running).rejects.toThrow(
    new WorkerError('TaskWorker: the worker must be open: it was closed.'),
  );
  await expect(worker.run('echo', 1)).rejects.toBeInstanceOf(WorkerError);
});

test('a thread of Node serves tasks, and its end is told', async () => {
  const thread = new Worker(new URL('./workers/squares.mjs', import.meta.url), { execArgv: [] });
  const worker = new TaskWorker(workerPort(thread));
  onTestFinished(() => worker.close());
  const { squares } = (await worker.run('square', { x: tensor([[1, 2, 3]]) })) as { squares: Tensor };
  expect(squares.toArray()).toEqual([[1, 4, 9]]);
  await expect(worker.run('fail', null)).rejects.toThrow(
    'TaskWorker: the worker must run: it failed (Error: outside of a task).',
  );
});

test('outside of a worker there is no port', () => {
  expect(() => serveTasks(tasks)).toThrow(
    /^serveTasks: there must be a port: this is no worker\. Give one\.$/,
  );
});
