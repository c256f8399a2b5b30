// Takes a picture of scenes, to look at: node ui/tests/shots.mjs FOLDER [LANGUAGE [THEME [WIDTH]]] [-- SCENE…]

import { mkdirSync } from "node:fs";
import { openGallery, show } from "./lib.mjs";

const rest = process.argv.slice(2);
const [folder = "shots", language = "en", theme = "light", width = "960"] = rest.slice(0, rest.indexOf("--") + 1 || undefined).filter((one) => one !== "--");
const wanted = rest.includes("--") ? rest.slice(rest.indexOf("--") + 1) : null;
const gallery = await openGallery();
mkdirSync(folder, { recursive: true });
for (const id of wanted ?? gallery.scenes) {
  await show(gallery.page, id, { language, theme, contrast: "usual" }, Number(width));
  await gallery.page.screenshot({ path: `${folder}/${id.replace("/", "-")}-${language}-${theme}.png`, fullPage: true });
}
console.log(gallery.thrown.concat(gallery.elsewhere).join("\n"));
await gallery.close();
