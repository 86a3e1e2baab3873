import { html, type Content, type Html } from './html.js';

/** What a colour or a form of a figure stands for. */
export interface Key {
  readonly name: string;
  /** A class of the style sheet. */
  readonly swatch: string;
}

export interface FigureOptions {
  readonly title: string;
  readonly keys?: readonly Key[];
  /** How to read the figure, in a sentence or two. */
  readonly caption?: Content;
  /** Classes of the style sheet for what is shown. */
  readonly layout?: string;
}

/** A figure under a heading of the third level: legend, what is shown, how to read it. */
export function figure({ title, keys = [], caption, layout = '' }: FigureOptions, ...shown: Content[]): Html {
  return html`<figure aria-label="${title}">
    <h3>${title}</h3>
    ${
      keys.length > 0 &&
      html`<ul class="keys">
        ${keys.map(({ name, swatch }) => html`<li><span class="swatch ${swatch}"></span>${name}</li>`)}
      </ul>`
    }
    <div class="shown ${layout}">${shown}</div>
    ${caption !== undefined && html`<figcaption>${caption}</figcaption>`}
  </figure> `;
}

/** One of several charts of a figure, under its own name. */
export function panel(name: string, shown: Content): Html {
  return html`<div class="panel">
    <h4>${name}</h4>
    ${shown}
  </div>`;
}
