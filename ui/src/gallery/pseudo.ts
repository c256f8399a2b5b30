const accents: Record<string, string> = { a: "á", e: "é", i: "í", o: "ó", u: "ú", c: "ç", n: "ñ", A: "Å", E: "É", I: "Î", O: "Ö", U: "Û" };

/** A language nobody speaks (en-XA): accents show what isn't translated, and 60 % more length what doesn't fit. */
export function pseudo(text: string): string {
  const accented = text.replace(/[aeioucnAEIOU]/g, (letter) => accents[letter] ?? letter);
  const more = text
    .split(" ")
    .filter((word) => /\w{3}/.test(word))
    .slice(0, Math.ceil(text.length * 0.1))
    .map((word) => "~".repeat(Math.max(1, Math.round(word.length * 0.6))))
    .join(" ");
  return more ? `${accented} ${more}` : accented;
}
