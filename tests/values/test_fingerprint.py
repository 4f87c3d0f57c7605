"""Two requests have one fingerprint where the same was asked."""

from builders import a_request, an_image

from mmai.values.request import ImagePart


def test_the_same_request_has_the_same_fingerprint() -> None:
    assert a_request("Why?", an_image()).fingerprint == a_request("Why?", an_image(), max_tokens=9).fingerprint


def test_whatever_is_asked_otherwise_has_another() -> None:
    other_image = ImagePart(b"\x89PNG\r\n\x1a\n.", "image/png", "photo.png")
    requests = [
        a_request("Why?"),
        a_request("Why? "),
        a_request("Why?", system="Be brief."),
        a_request("Why?", an_image()),
        a_request("Why?", other_image),
    ]
    assert len({request.fingerprint for request in requests}) == len(requests)


def test_an_argument_that_was_no_utf8_has_one_too() -> None:
    assert a_request("caf\udce9").fingerprint
