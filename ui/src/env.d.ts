declare module "virtual:help" {
  /** A page of the documentation, as HTML made from this project's own files when it was built. */
  const pages: readonly { id: string; title: string; html: string }[];
  export default pages;
}
