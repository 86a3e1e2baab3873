/** The element of the page with this id; its kind is taken on trust. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as querySelector has it
export function byId<E extends Element = HTMLElement>(id: string): E {
  return document.querySelector<E>(`#${id}`)!;
}

/** A new element with its properties and what it contains. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<Omit<HTMLElementTagNameMap[K], 'style'>> & { style?: string } = {},
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const { style, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  if (style !== undefined) element.setAttribute('style', style);
  element.append(...content);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A new SVG element with its attributes. */
export function makeSvg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
  ...content: readonly Node[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}

/** With a minus sign, not a hyphen; 0 has none. */
export function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}
