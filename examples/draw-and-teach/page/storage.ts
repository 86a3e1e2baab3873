// The model in the browser: its file's bytes in IndexedDB.
import { del, get, set } from 'idb-keyval';

const KEY = 'gmml-draw-and-teach-model';

/** The bytes that were stored last; undefined where there are none, or the browser keeps nothing. */
export async function storedModel(): Promise<Uint8Array | undefined> {
  try {
    return await get<Uint8Array>(KEY);
  } catch {
    // A private window may refuse: the page works without.
    return undefined;
  }
}

/** Stores the bytes; false where the browser keeps nothing. */
export async function storeModel(bytes: Uint8Array): Promise<boolean> {
  try {
    await set(KEY, bytes);
    return true;
  } catch {
    return false;
  }
}

export async function forgetModel(): Promise<void> {
  try {
    await del(KEY);
  } catch {
    // Where nothing is kept, nothing is to be forgotten.
  }
}

/** Gives bytes to the person as a file. */
export function download(bytes: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: a browser may read it only after this.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
