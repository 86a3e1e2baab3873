// XML as strict as a browser reads it: what is not well-formed throws.

/** An element; text stands in `text`, in the order in which it came. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** The root of a document without declarations, comments or CDATA. @throws Error where it is not well-formed */
export function parseXml(source: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const token =
    /<\/(?<end>[\w:-]+)\s*>|<(?<start>[\w:-]+)(?<attributes>(?:\s+[\w:-]+="[^"<]*")*)\s*(?<empty>\/?)>|(?<text>[^<]+)/y;
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const found = token.exec(source)?.groups;
    if (!found) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`);
    const parent = open.at(-1)!;
    if (found.text !== undefined) {
      parent.text += decoded(found.text);
    } else if (found.end !== undefined) {
      if (parent.name !== found.end) throw new Error(`</${found.end}> ends <${parent.name}> at ${at}`);
      open.pop();
    } else {
      const element: Element = {
        name: found.start,
        attributes: attributesOf(found.attributes),
        children: [],
        text: '',
      };
      parent.children.push(element);
      if (found.empty === '') open.push(element);
    }
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name}> has no end`);
  if (root.children.length !== 1 || root.text.trim() !== '') throw new Error('there must be one root');
  return root.children[0];
}

/** The element and all that are in it, in the order of the document. */
export function elementsIn(element: Element): Element[] {
  return [element, ...element.children.flatMap(elementsIn)];
}

function attributesOf(source: string): Record<string, string> {
  const pairs = [...source.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name, decoded(value)]);
  const attributes = Object.fromEntries(pairs) as Record<string, string>;
  if (Object.keys(attributes).length < pairs.length) throw new Error(`an attribute stands twice in${source}`);
  return attributes;
}

function decoded(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replaceAll(/&(\w*;?)/g, (whole, name: string) => {
    const meant = name.endsWith(';') ? entities[name.slice(0, -1)] : undefined;
    if (meant === undefined) throw new Error(`${whole} is no entity`);
    return meant;
  });
}
