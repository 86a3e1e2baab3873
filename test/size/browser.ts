// What a page can import, for `npm run size`: everything, so that nothing is shaken off.
export * as tensor from '@gmml/tensor';
export * as nn from '@gmml/nn';
export * as gmm from '@gmml/gmm';
