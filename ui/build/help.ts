import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Marked, type Tokens } from "marked";
import type { Plugin } from "vite";
import { slug } from "../../scripts/lib/markdown.mjs";

/** The pages that open from the window's `?`, in reading order. They are the ones in `docs/`, so they can't differ. */
const pages = ["quick-start", "internet", "conflicts", "old-data", "troubleshooting", "faq", "install", "accessibility", "security"];
const languages = ["en", "de"];
const name = "virtual:help";

interface HelpPage {
  id: string;
  title: string;
  html: string;
  /** In which it is. */
  language: string;
}

/** Turns the documentation into pages the window shows without the Internet. */
export function help(docs: string): Plugin {
  /** A page in a language, or in English where there is none. */
  const source = (page: string, language: string): { file: string; language: string } => {
    const file = join(docs, language === "en" ? "" : language, `${page}.md`);
    return existsSync(file) ? { file, language } : { file: join(docs, `${page}.md`), language: "en" };
  };
  const rendered = (language: string): HelpPage[] =>
    pages.map((page) => {
      const from = source(page, language);
      return { ...render(page, readFileSync(from.file, "utf8")), language: from.language };
    });
  return {
    name: "help",
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return undefined;
      for (const language of languages) pages.forEach((page) => this.addWatchFile(source(page, language).file));
      return `export default ${JSON.stringify(Object.fromEntries(languages.map((language) => [language, rendered(language)])))};`;
    },
  };
}

function render(id: string, text: string): Omit<HelpPage, "language"> {
  const title = /^# (.+)$/m.exec(text)?.[1] ?? id;
  const marked = new Marked({
    renderer: {
      // A link to another of these pages stays in the window; one to a source file can't be followed from here.
      link({ href, tokens }: Tokens.Link): string {
        const words = this.parser.parseInline(tokens);
        const [, page, anchor] = /^(?:([\w-]+)\.md)?(?:#(.*))?$/.exec(href) ?? [];
        if (page === undefined && anchor === undefined) return words;
        const target = page ?? id;
        return pages.includes(target) ? `<a href="#${target}/${anchor ?? ""}">${words}</a>` : words;
      },
      heading({ tokens, depth, text: plain }: Tokens.Heading): string {
        // The page's own title is the window's, so the others keep their level below it.
        if (depth === 1) return "";
        const words = this.parser.parseInline(tokens).replace(/<a id="(\w+)"><\/a>/, "");
        const code = /<a id="(\w+)">/.exec(plain)?.[1];
        return `<h${depth} id="help-${code ?? slug(plain)}" tabindex="-1">${words}</h${depth}>`;
      },
      // Wide pieces scroll by themselves, also by keyboard.
      table(token: Tokens.Table): string {
        const cell = (one: Tokens.TableCell, tag: "th" | "td"): string =>
          `<${tag}>${this.parser.parseInline(one.tokens)}</${tag}>`;
        const head = token.header.map((one) => cell(one, "th")).join("");
        const rows = token.rows.map((row) => `<tr>${row.map((one) => cell(one, "td")).join("")}</tr>`).join("");
        return `<table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table>`;
      },
    },
  });
  return { id, title, html: marked.parse(text, { async: false }) };
}
