import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Problem, Saver, Server } from "../../../src/boxwright/studio/page/store.js";
import { box, labels } from "./labels.js";

/** A server with the labels of one image, which answers when it is told to. */
class Fake {
  constructor() {
    this.asked = [];
    this.version = 0;
    this.refuse = null;
    this.slow = null;
  }

  async fetch(path, { method, headers, body }) {
    this.asked.push(`${method} ${path} ${headers["If-Match"] ?? ""}`.trim());
    if (this.slow) await this.slow;
    if (this.refuse) {
      const { status, told } = this.refuse;
      if (!status) throw new TypeError("Failed to fetch");
      return { ok: false, status, json: async () => told };
    }
    if (path.endsWith("/undo"))
      return this.undone ? { ok: true, status: 200, json: async () => this.undone } : { ok: true, status: 204 };
    this.version += 1;
    this.sent = JSON.parse(body);
    const boxes = path.endsWith("/history") ? this.theirs.boxes
      : this.sent.boxes.map((each) => ({ ...each, key: each.key.replace("new-", "k") }));
    return { ok: true, status: 200, json: async () => labels(boxes, { etag: `e${this.version}` }) };
  }
}

let fake;
let told;
let saver;

beforeEach(() => {
  fake = new Fake();
  told = { saved: [], replaced: [], overtaken: [], conflicts: [], problems: [] };
  saver = new Saver(new Server((...given) => fake.fetch(...given)), {
    saved: (image, keys, newer) => told.saved.push([image.etag, [...keys], newer]),
    replaced: (image, newer) => told.replaced.push([image.etag, newer]),
    overtaken: (theirs) => told.overtaken.push(theirs),
    conflict: (theirs) => told.conflicts.push([saver.pending(0), theirs]),
    failed: (problem) => told.problems.push(problem.message),
    changed: () => {},
  }, 5);
  saver.opened(labels());
});

const edit = (...boxes) => ({ boxes, verified: false, settled: [] });
const A = box("new-a", [1, 1, 9, 9]);
const B = box("new-b", [20, 20, 40, 40]);

/** Let the server wait with its answers until the returned function is called. */
function waiting() {
  let answer;
  fake.slow = new Promise((resolve) => { answer = resolve; });
  return () => { fake.slow = null; answer(); };
}

describe("saving", () => {
  test("edits in a short time become one", async () => {
    saver.edit(0, edit());
    saver.edit(0, edit(A));
    await new Promise((resolve) => { setTimeout(resolve, 40); });
    assert.deepEqual(fake.asked, ["PUT /api/images/0 e0"]);
    assert.deepEqual(told.saved, [["e1", [["new-a", "ka"]], null]]);
    assert.deepEqual(saver.unsaved, []);
  });

  test("an edit during a request follows it, with the new tag and keys", async () => {
    const answer = waiting();
    saver.edit(0, edit(A));
    const done = saver.flush(0);
    saver.edit(0, edit({ ...A, label: "dog" }));
    answer();
    assert.equal(await done, true);
    assert.deepEqual(fake.asked, ["PUT /api/images/0 e0", "PUT /api/images/0 e1"]);
    assert.deepEqual(fake.sent.boxes.map(({ key, label }) => [key, label]), [["ka", "dog"]]);
    assert.deepEqual(told.saved.map(([, , newer]) => newer), [edit(box("ka", A.box, "dog")), null]);
  });

  test("an edit is pending while it is sent", async () => {
    const answer = waiting();
    saver.edit(0, edit(A));
    const done = saver.flush(0);
    assert.deepEqual(saver.pending(0), edit(A));
    answer();
    await done;
    assert.equal(saver.pending(0), null);
  });

  test("undo waits until all is saved", async () => {
    saver.edit(0, edit(A));
    assert.equal(await saver.step("undo", 0), null);
    assert.deepEqual(fake.asked, ["PUT /api/images/0 e0", "POST /api/images/0/undo e1"]);
  });
});

describe("a box that is drawn while undo is in flight", () => {
  const before = box("k", [60, 60, 90, 90]);
  const theirs = labels([box("t", [0, 0, 5, 5])], { etag: "e9" });
  let answer;
  let done;
  beforeEach(() => {
    saver.opened(labels([before]));
    answer = waiting();
    done = saver.step("undo", 0);
  });

  test("is added to what was undone", async () => {
    fake.undone = labels([], { etag: "u1" });
    saver.edit(0, edit(before, B));
    answer();
    assert.equal(await done, fake.undone);
    assert.equal(await saver.flush(0), true);
    assert.deepEqual(told.replaced, [["u1", edit(B)]]);
    assert.deepEqual(fake.asked, ["POST /api/images/0/undo e0", "PUT /api/images/0 u1"]);
    assert.deepEqual(fake.sent.boxes, [B]);
  });

  test("stays where nothing can be undone", async () => {
    saver.edit(0, edit(before, B));
    answer();
    assert.equal(await done, null);
    await saver.flush(0);
    assert.deepEqual(fake.sent.boxes, [before, B]);
  });

  test("stays where another program wrote meanwhile, and is asked about", async () => {
    fake.refuse = { status: 412, told: { theirs } };
    saver.edit(0, edit(before, B));
    answer();
    assert.equal(await done, undefined);
    assert.equal(await saver.flush(0), false);
    assert.deepEqual(told.conflicts, [[edit(before, B), theirs]]);
    assert.deepEqual(told.overtaken, []);
  });

  test("stays where the server does not answer", async () => {
    fake.refuse = { status: 0 };
    saver.edit(0, edit(before, B));
    answer();
    assert.equal(await done, undefined);
    assert.equal(await saver.flush(0), false);
    assert.deepEqual(saver.pending(0), edit(before, B));
  });
});

describe("what cannot be saved is kept and tried again", () => {
  for (const [name, refuse, message] of [
    ["full disk", { status: 507, told: { code: "BW001", message: "The disk is full" } }, "The disk is full"],
    ["no answer", { status: 0 }, "The studio does not answer: is the command still running?"],
    ["no words", { status: 500, told: {} }, "The server answered 500"],
    ["another studio", { status: 403, told: {} },
      "This page is of an earlier studio: open the address that the terminal shows."],
  ])
    test(name, async () => {
      fake.refuse = refuse;
      saver.edit(0, edit(A));
      assert.equal(await saver.flush(0), false);
      assert.deepEqual([saver.stuck, saver.unsaved, told.problems], [true, [0], [message]]);
      assert.deepEqual(saver.pending(0), edit(A));
      assert.equal(await saver.step("undo", 0), undefined);
      fake.refuse = null;
      assert.equal(await saver.flushAll(), true);
      assert.deepEqual([saver.stuck, saver.unsaved], [false, []]);
      assert.deepEqual(fake.sent, edit(A));
    });
});

describe("a conflict", () => {
  const theirs = labels([box("t", [0, 0, 5, 5])], { etag: "e9" });
  beforeEach(async () => {
    fake.theirs = theirs;
    fake.refuse = { status: 412, told: { theirs } };
    saver.edit(0, edit(A));
    assert.equal(await saver.flush(0), false);
    fake.refuse = null;
  });

  test("hands over both versions, and waits", async () => {
    assert.deepEqual(told.conflicts, [[edit(A), theirs]]);
    assert.equal(await saver.flush(0), false);
    assert.equal(fake.asked.length, 1);
    assert.deepEqual(saver.unsaved, [0]);
  });

  test("writes the chosen version over theirs", async () => {
    await saver.resolve(theirs, "mine");
    assert.equal(fake.asked.at(-1), "PUT /api/images/0 e9");
    assert.deepEqual(told.replaced, [["e9", edit(A)]]);
    assert.deepEqual([fake.sent, saver.unsaved, saver.stuck], [edit(A), [], false]);
  });

  test("writes what was edited until the choice", async () => {
    saver.edit(0, edit(A, B));
    await saver.resolve(theirs, "both");
    assert.deepEqual(fake.sent.boxes, [...theirs.boxes, A, B]);
  });

  test("leaves theirs, with mine in the history", async () => {
    await saver.resolve(theirs, "theirs");
    assert.deepEqual(fake.asked.slice(1), ["POST /api/images/0/history e9"]);
    assert.deepEqual(fake.sent, edit(A));
    assert.deepEqual(told.replaced, [["e1", null]]);
    assert.deepEqual([saver.unsaved, saver.stuck, saver.pending(0)], [[], false, null]);
  });

  test("is asked again if mine cannot be put into the history", async () => {
    fake.refuse = { status: 507, told: { message: "The disk is full" } };
    await saver.resolve(theirs, "theirs");
    assert.deepEqual([saver.pending(0), saver.stuck, told.problems], [edit(A), true, ["The disk is full"]]);
    fake.refuse = { status: 412, told: { theirs } };
    assert.equal(await saver.flush(0), false);
    assert.equal(fake.asked.at(-1), "PUT /api/images/0 e0");
    assert.equal(told.conflicts.length, 2);
  });
});

describe("labels that another page verified meanwhile", () => {
  const boxes = [box("t", [0, 0, 5, 5])];
  const theirs = labels(boxes, { etag: "e0-verified", verified: true });
  beforeEach(() => {
    saver.opened(labels(boxes, { proposals: [{ key: "p", box: A.box, label: "cat", score: 0.9 }] }));
    fake.refuse = { status: 412, told: { theirs } };
    saver.listener.replaced = (image, newer) => {
      told.replaced.push([image.etag, newer]);
      fake.refuse = null;
    };
  });

  test("stay verified when a proposal is rejected", async () => {
    saver.edit(0, { boxes, verified: false, settled: ["p"] });
    assert.equal(await saver.flush(0), true);
    assert.deepEqual(fake.sent, { boxes, verified: true, settled: ["p"] });
    assert.deepEqual(fake.asked, ["PUT /api/images/0 e0", "PUT /api/images/0 e0-verified"]);
    assert.deepEqual([told.conflicts, told.problems, saver.stuck, saver.unsaved], [[], [], false, []]);
  });

  test("get the box that was drawn here", async () => {
    saver.edit(0, edit(...boxes, A));
    await saver.flush(0);
    assert.deepEqual(fake.sent, { boxes: [...boxes, A], verified: true, settled: [] });
  });

  test("are asked about where the boxes are others too", async () => {
    fake.refuse.told.theirs = labels([B], { etag: "e9", verified: true });
    saver.edit(0, edit(...boxes, A));
    assert.equal(await saver.flush(0), false);
    assert.equal(told.conflicts.length, 1);
  });
});

describe("an edit while another page edits classes", () => {
  const [cat, dog] = [box("c", [60, 60, 90, 90]), box("d", [0, 0, 5, 5], "dog")];
  const answer = (moves, boxes) => ({
    status: 412,
    told: { theirs: labels(boxes, { etag: "e9", moves: moves.length }), classes: ["dog"], moves },
  });
  beforeEach(() => {
    saver.opened(labels([cat, dog]));
    saver.listener.classes = ({ moves }) => { told.classes = moves; saver.rename(moves); };
    saver.listener.replaced = () => { fake.refuse = null; };
  });

  test("gets the new name, also where the page hears of it late", async () => {
    const moves = [["dog", "wolf"], ["cat", "dog"]];
    fake.refuse = answer(moves, [{ ...cat, label: "dog" }, { ...dog, label: "wolf" }]);
    saver.edit(0, edit(cat, dog, A));
    assert.equal(await saver.flush(0), true);
    assert.deepEqual(told.classes, moves);
    assert.deepEqual(fake.sent.boxes.map(({ label }) => label), ["dog", "wolf", "dog"]);
    assert.deepEqual(told.conflicts, []);
  });

  test("gets it where the page hears of it while the server answers", async () => {
    const moves = [["cat", "kitty"]];
    const go = waiting();
    fake.refuse = answer(moves, [{ ...cat, label: "kitty" }, dog]);
    saver.edit(0, edit(cat, dog, A));
    const done = saver.flush(0);
    saver.rename(moves);
    go();
    assert.equal(await done, true);
    assert.deepEqual(fake.sent.boxes.map(({ label }) => label), ["kitty", "dog", "kitty"]);
  });

  test("is asked about where the class of a new box was deleted", async () => {
    fake.refuse = answer([["cat", null]], [dog]);
    saver.edit(0, edit(cat, dog, A));
    assert.equal(await saver.flush(0), false);
    assert.deepEqual(told.conflicts[0][0].boxes, [dog, A]);
  });

  test("goes on where the boxes of the deleted class were not touched", async () => {
    fake.refuse = answer([["cat", null]], [dog]);
    saver.edit(0, edit(cat, { ...dog, box: [0, 0, 9, 9] }));
    assert.equal(await saver.flush(0), true);
    assert.deepEqual(fake.sent.boxes, [{ ...dog, box: [0, 0, 9, 9] }]);
  });
});

test("undo of labels that another program changed takes theirs", async () => {
  const theirs = labels([], { etag: "e9" });
  fake.refuse = { status: 412, told: { theirs } };
  assert.equal(await saver.step("undo", 0), undefined);
  assert.deepEqual([told.overtaken, told.conflicts, saver.stuck], [[theirs], [], false]);
});

test("a problem has the server's words", async () => {
  fake.refuse = { status: 403, told: { code: "BW950", message: "Read-only", remedy: "Change it" } };
  const problem = await new Server((...given) => fake.fetch(...given)).post("/api/x").catch((error) => error);
  assert.ok(problem instanceof Problem);
  const { status, code, message, remedy } = problem;
  assert.deepEqual([status, code, message, remedy], [403, "BW950", "Read-only", "Change it"]);
});
