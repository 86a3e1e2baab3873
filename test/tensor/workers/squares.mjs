// A worker of the build.
import { serveTasks } from '@gmml/tensor/worker';

serveTasks({
  square: ({ x }) => ({ squares: x.mul(x) }),
  fail() {
    setTimeout(() => {
      throw new Error('outside of a task');
    });
    return new Promise(() => {});
  },
});
