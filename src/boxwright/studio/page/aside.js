// Images that are set aside, which are not trained with, and taken back.

export class Aside {
  /** @param {import("./studio.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** What undo takes back: the image that was set aside, until something else is done. @type {number|null} */
    this.last = null;
  }

  /** Set the open image aside and go on, or take it back. */
  async toggle() {
    const { index, images, notices } = this.studio;
    const row = index === null ? undefined : images.rows[index];
    if (index === null || !row) return;
    if (row.state === "aside") await this.takeBack(index);
    else if (await this.#move(index, true)) {
      await this.studio.go(1);
      this.last = index;
      notices.say(`${row.name} is set aside: it will not be trained with.`, "", () => void this.takeBack(index));
    }
  }

  /** @param {number} index */
  async takeBack(index) {
    const { studio } = this;
    if (!(await this.#move(index, false))) return;
    this.last = null;
    if (index !== studio.index) await studio.open(index);
    studio.notices.say("Taken back: it will be trained with.");
  }

  /** @param {number} index @param {boolean} aside @returns {Promise<boolean>} whether it is done */
  async #move(index, aside) {
    const { studio } = this;
    try {
      await studio.saver.flush(index);
      await studio.server.post(`/api/images/${index}/aside`, { aside });
      await studio.images.refresh(index);
      return true;
    } catch (error) {
      studio.failed(error);
      return false;
    }
  }
}
