from iqa_jax.agreement.columns import Column


def test_a_column_is_a_distance_that_has_seen_nothing():
    column = Column("net/a/l2", "net", "a", 1, 0.5, "l2")
    assert column.place == ("net", "a", "l2")
    assert column.direction == "lower"
    assert not column.is_in_sample
    assert not column.is_transductive


def test_overlaps_of_a_column():
    assert Column("a", "a", higher_is_better=True).direction == "higher"
    assert Column("a", "a", overlap="Learned from this.").is_in_sample
    assert Column("a", "a", transductive_readout="balanced").is_transductive
