/** Multiply-adds that take about 50 µs: what is worth another thread. */
export const WORTH_A_THREAD = 1e6;

/** Multiply-adds that pay for bringing float64, which mostly lies outside kernel memory, there and back. */
export const WORTH_COPYING = 4096;
