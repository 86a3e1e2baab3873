// Numbers and texts as people read them.

/** '1 thread', '2 threads'. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** '512 bytes', '9.9 MB': in powers of 1000. */
export function bytes(n: number): string {
  if (n < 1000) return count(n, 'byte');
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/** '0:07', '12:05', '1:02:03'. */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = `${whole % 60}`.padStart(2, '0');
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${`${minutes}`.padStart(2, '0')}:${rest}`;
}

/** A share in per cent, with so many decimals or as many as it has: '97.65 %'. */
export function percent(share: number, decimals?: number): string {
  const value = 100 * share;
  return `${decimals === undefined ? Number(value.toPrecision(12)) : value.toFixed(decimals)} %`;
}

/** A probability that is not said to be 0 or 1 where it is neither: '< 0.1 %', '97.6 %', '> 99.9 %'. */
export function probability(p: number): string {
  if (p > 0.9995) return '> 99.9 %';
  return p < 0.0005 ? '< 0.1 %' : percent(p, 1);
}

/** 7996 is '7,996'. */
export function withCommas(n: number): string {
  return n.toLocaleString('en-US');
}

/** '1 image', '2,004 images'. */
export function images(n: number): string {
  return `${withCommas(n)} image${n === 1 ? '' : 's'}`;
}

/** The first ten of some texts, and how many more there are; 'none'. */
export function listed(texts: readonly string[]): string {
  if (texts.length === 0) return 'none';
  const first = texts.slice(0, 10).join(', ');
  return texts.length > 10 ? `${first} and ${texts.length - 10} more` : first;
}

/** Text of a file, for a message: in quotes and short; 'missing' where there is none. */
export function quoted(text: string | undefined): string {
  if (text === undefined) return 'missing';
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** 'digit 7', or what stands for it. */
export function className(digit: number, names: readonly string[] | undefined): string {
  return names?.[digit] ?? `digit ${digit}`;
}

/** A line with its control characters as \uXXXX: names in files may hold what a terminal obeys. */
export function printable(line: string): string {
  return line.replaceAll(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
