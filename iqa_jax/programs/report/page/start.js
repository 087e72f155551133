// The page as it opens: the pair of the greatest disagreement with people, or the first.

{
  const lists = axes.length > 1 ? data.disagreements[axes.length - 1][0].flat() : [];
  scatter.redraw();
  if (count) choosePair(lists.length ? lists[0] : 0);
}
