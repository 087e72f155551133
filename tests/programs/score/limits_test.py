import math

import numpy as np
import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs.score.limits import parse_limits

DIRECTIONS = {"psnr": True, "ssim:matlab": True, "lpips-alex": False}


def test_a_limit_has_the_direction_of_its_metric():
    texts = ["psnr:30", "ssim:matlab:0.95", "lpips-alex:0.1"]
    psnr, ssim, lpips = limits = parse_limits(texts, DIRECTIONS)
    assert [each.metric for each in limits] == [*DIRECTIONS]

    def exceeded(limit, *scores):
        return [limit.is_exceeded(np.float32(score)) for score in scores]

    assert exceeded(psnr, 29.9, 30, 31, math.nan) == [True, False, False, False]
    assert exceeded(ssim, 0.94, 0.95, 0.96) == [True, False, False]
    assert exceeded(lpips, 0.1, 0.11, math.nan) == [False, True, False]


def test_a_complaint_says_on_which_side_the_score_is():
    psnr, lpips = parse_limits(["psnr:30", "lpips-alex:0.1"], DIRECTIONS)
    assert psnr.complaint(29.5) == "psnr is 29.5, below 30"
    assert lpips.complaint(0.1234567) == "lpips-alex is 0.123457, above 0.1"
    assert lpips.text == "lpips-alex:0.1"


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["psnr"], "expected METRIC:VALUE, such as ssim:0.95, got 'psnr'"),
        (["psnr:"], "expected METRIC:VALUE"),
        (["psnr:nan"], "expected METRIC:VALUE"),
        ([":3"], "expected METRIC:VALUE"),
        (["dists:0.1"], "dists is not computed; expected one of psnr, ssim:matlab, lp"),
        (["psnr:30", "psnr:31"], "psnr has two limits"),
    ],
)
def test_malformed_limits_are_refused(texts, complaint):
    with pytest.raises(InputError, match=complaint):
        parse_limits(texts, DIRECTIONS)
