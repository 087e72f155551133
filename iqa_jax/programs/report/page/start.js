// The page as it opens: the pair on which the first column and people disagree most, or the worst.

{
  const lists = human > 0 ? data.disagreements[human][0] : [data.worst[0]];
  const [first = 0] = lists.flat();
  scatter.redraw();
  if (count) choosePair(first);
}
