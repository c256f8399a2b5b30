/** What the window says: texts by key in the language in use, and numbers, sizes and times as people there write them. */
import { FluentBundle, FluentResource, type FluentVariable, type TextTransform } from "@fluent/bundle";
import de from "../../locales/de.ftl?raw";
import en from "../../locales/en.ftl?raw";

export const languages = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof languages;

const resources = { en: new FluentResource(en), de: new FluentResource(de) };

const speak = (language: Language, transform?: TextTransform): FluentBundle => {
  // The isolating marks around variables matter where text runs both ways, and would end up in what people copy.
  const bundle = new FluentBundle(language, { useIsolating: false, ...(transform && { transform }) });
  bundle.addResource(resources[language]);
  return bundle;
};

let language = $state.raw<Language>("en");
let bundle = $state.raw(speak("en"));

/** Changes the language of everything on screen. `transform` makes the pseudo-language of the tests. */
export function use(chosen: Language, transform?: TextTransform): void {
  language = chosen;
  bundle = speak(chosen, transform);
  document.documentElement.lang = chosen;
}

export const spoken = (): Language => language;
export const isLanguage = (text: string): text is Language => Object.hasOwn(languages, text);

/** The text with this key. */
export function t(key: string, values?: Record<string, FluentVariable>): string {
  const message = bundle.getMessage(key);
  return message?.value ? bundle.formatPattern(message.value, values ?? null) : key;
}

/** The text with this key, or another one where there is none: for words that come from data. */
export const tOr = (key: string, other: string, values?: Record<string, FluentVariable>): string =>
  bundle.getMessage(key)?.value ? t(key, values) : other;

export const count = (n: number): string => new Intl.NumberFormat(language).format(n);

export function bytes(n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  const unit = units[power] as string;
  const digits = value < 10 && power > 0 ? 1 : 0;
  // Only whole words have a plural; "MB" needs none.
  const unitDisplay = power === 0 ? "long" : "short";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits: digits })
    .format(value);
}

/** A point in time, seconds since 1970, in full. */
export const exactly = (at: number): string =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at * 1000);

export const clock = (at: number): string =>
  new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at * 1000);

/** How long ago something was. */
export function ago(secs: number): string {
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const [unit, length] = units.find(([, length]) => secs >= length) ?? ["second", 0];
  return unit === "second" ? t("just-now") : format.format(-Math.floor(secs / length), unit);
}

export const now = (): number => Math.floor(Date.now() / 1000);

/** Seconds, in words: for time left. */
export function lasting(secs: number): string {
  const [unit, length] = secs >= 5_400 ? (["hour", 3_600] as const) : (["minute", 60] as const);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" })
    .format(Math.max(1, Math.round(secs / length)));
}
