// Numbers and names as the report has them.

/** 0.97652 is '97.65 %'. */
export function percent(share: number, decimals = 2): string {
  return `${(100 * share).toFixed(decimals)} %`;
}

/** 0.95 is '95 %', 0.995 is '99.5 %': as many decimals as there are. */
export function exactPercent(share: number): string {
  return `${Number((100 * share).toPrecision(12))} %`;
}

/** 7996 is '7,996'. */
export function whole(count: number): string {
  return count.toLocaleString('en-US');
}

/** '1 image', '2,004 images'. */
export function images(count: number): string {
  return `${whole(count)} image${count === 1 ? '' : 's'}`;
}

/** A probability that is not said to be 0 or 1 where it is neither: '< 0.1 %', '97.6 %', '> 99.9 %'. */
export function probability(p: number): string {
  if (p > 0.9995) return '> 99.9 %';
  return p < 0.0005 ? '< 0.1 %' : percent(p, 1);
}
