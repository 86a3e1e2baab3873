export const MADE_FILES: readonly string[];
export function areUpToDate(): boolean;
