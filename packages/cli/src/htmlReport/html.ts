// Text as HTML: what is put into a template is escaped, unless it is HTML already.

/** A piece of HTML, well-formed by itself. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes; nothing is written for undefined and false. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/** A template of HTML: `` html`<p class="${name}">${text}</p>` ``. Attributes must stand in double quotes. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(String.raw({ raw: strings }, ...contents.map(written)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(written).join('');
  return String(content).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]);
}
