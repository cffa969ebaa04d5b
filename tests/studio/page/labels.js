// Labels of an image, for tests.

export const box = (key, rect, label = "cat", flags = {}) => ({
  key, box: rect, label, difficult: false, truncated: false, occluded: false, crowd: false, ...flags,
});

export const labels = (boxes = [], values = {}) => ({
  index: 0, name: "a.jpg", width: 200, height: 100, etag: "e0", moves: 0, verified: false, blind: false, boxes,
  proposals: [], can_undo: false, can_redo: false, ...values,
});
