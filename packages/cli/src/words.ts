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
