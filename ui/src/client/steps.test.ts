import { describe, expect, it } from "vitest";
import { offered, preview, serverCards, sources } from "../fake/world.ts";
import { begin, isReady, next, plan, type Event, type State } from "./steps.ts";

const { lan, invited } = serverCards;
const after = (...events: Event[]): State => events.reduce(next, begin);
const connected: Event[] = [
  { event: "arrived", server: invited },
  { event: "password", password: "zebra-anchor-mild" },
  { event: "connected", server: invited },
  { event: "source", source: sources.folder },
  { event: "offered", folders: offered },
];

describe("the client's steps", () => {
  it("take the one server of the network, so that Next is enough", () => {
    const state = after({ event: "servers", servers: [lan] }, { event: "next" });
    expect([state.step, state.server?.id]).toEqual(["password", lan.id]);
  });

  it("keep the chosen server when the list changes", () => {
    const state = after({ event: "server", server: invited }, { event: "servers", servers: [lan] });
    expect(state.server?.id).toBe(invited.id);
  });

  it("skip the first step with an invitation, and reach out over the Internet", () => {
    const state = after({ event: "arrived", server: invited });
    expect([state.step, state.internet]).toEqual(["password", true]);
  });

  it("aren't disturbed by an invitation once they are connected", () => {
    const state = after(...connected);
    expect(next(state, { event: "arrived", server: lan })).toBe(state);
  });

  it("forget the password as soon as it was used", () => {
    expect(JSON.stringify(after(...connected))).not.toContain("zebra");
  });

  it("offer every folder in both directions, and keep choices when the list comes again", () => {
    const [first] = offered;
    if (!first) throw new Error("the fixture has folders");
    const off = after(...connected, { event: "direction", path: first.path, direction: "off" });
    const again = next(off, { event: "offered", folders: offered });
    expect(again.wishes?.map((wish) => wish.direction)).toEqual(["off", ...offered.slice(1).map(() => "both")]);
  });

  it("don't go on when no folder is left", () => {
    const none = offered.reduce<State>(
      (state, { path }) => next(state, { event: "direction", path, direction: "off" }),
      after(...connected),
    );
    expect(isReady(none)).toBe(false);
  });

  it("forget where folders belong when the data lies elsewhere", () => {
    const [first] = offered;
    if (!first) throw new Error("the fixture has folders");
    const mapped = after(...connected, { event: "here", path: first.path, here: "mail/Old" });
    expect(plan(mapped).folders[0]?.here).toBe("mail/Old");
    expect(plan(next(mapped, { event: "source", source: sources.fresh })).folders[0]?.here).toBeNull();
  });

  it("show the preview before anything is started, and compare anew after Back", () => {
    const shown = after(...connected, { event: "planned", preview });
    expect(shown.step).toBe("preview");
    const back = next(shown, { event: "back" });
    expect([back.step, back.preview]).toEqual(["folders", null]);
    expect(back.wishes).toEqual(shown.wishes);
  });

  it("can't go back behind the connection", () => {
    const state = after(...connected);
    expect(next(state, { event: "back" })).toBe(state);
  });
});
