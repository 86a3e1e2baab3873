import type { Server } from 'node:http';

export const ISOLATED: Readonly<Record<string, string>>;
export function serve(
  folder: string,
  port: number,
  headers?: Readonly<Record<string, string>>,
): Promise<Server>;
