// The page as it opens: the first claim that has comparisons.

chooseClaim(
  order.find((id) => contrastRows.some((row) => row.claim === id)) ?? order[0],
  "",
  data.readout,
);
