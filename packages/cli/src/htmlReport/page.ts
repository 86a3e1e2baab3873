import { html, Html, type Content } from './html.js';
import { styleSheet } from './styleSheet.js';

/** A part of the page under a heading of the second level. */
export interface Section {
  /** What a link of the contents leads to. */
  readonly id: string;
  readonly title: string;
  /** What the part is about, in a sentence. */
  readonly about?: string;
  readonly content: Content;
}

export interface Page {
  readonly title: string;
  readonly lead: string;
  /** The figures that count most, by what they are. */
  readonly numbers: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** The page as the text of an HTML file that loads nothing and runs nothing. */
export function pageOf({ title, lead, numbers, sections, footer }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(styleSheet())}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="lead">${lead}</p>
          <dl class="numbers">
            ${numbers.map(
              ([name, value]) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div> `,
            )}
          </dl>
          <nav aria-label="Contents">
            <ul>
              ${sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main>
          ${sections.map(
            ({ id, title: name, about, content }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${name}</h2>
                <p class="about">${about}</p>
                ${content}
              </section> `,
          )}
        </main>
        <footer><p>${footer}</p></footer>
      </body>
    </html> `.text;
}
