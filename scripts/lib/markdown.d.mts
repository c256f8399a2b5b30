/** What a heading is called in a link. */
export function slug(heading: string): string;
