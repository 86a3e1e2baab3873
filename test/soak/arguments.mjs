/**
 * The numbers that a program was given, each by its place or as it is by default. Ends the program with 2 for anything but
 * integers of at least 1.
 *
 * @param {string} program as its messages call it
 * @param {Record<string, number>} defaults by name, in the order of the arguments
 */
export function numbersGiven(program, defaults) {
  const given = process.argv.slice(2);
  return Object.entries(defaults).map(([name, usual], place) => {
    const value = Number(given[place] ?? usual);
    if (!Number.isSafeInteger(value) || value < 1) {
      console.error(`${program}: ${name} must be an integer of at least 1: it is ${given[place]}.`);
      process.exit(2);
    }
    return value;
  });
}
