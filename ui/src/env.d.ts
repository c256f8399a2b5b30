declare module "virtual:help" {
  /** A page of the documentation, as HTML made from this project's own files when it was built. */
  type HelpPage = { id: string; title: string; html: string; language: string };
  /** By language. Each has all pages; what isn't translated is there in English. */
  const pages: Readonly<Record<string, readonly HelpPage[]>>;
  export default pages;
}
