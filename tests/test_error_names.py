from qm_cli import error_names


def test_codes_are_the_places_of_the_names() -> None:
    codes = [getattr(error_names, name.upper()) for name in error_names.KINDS]
    assert codes == list(range(len(codes)))
    assert error_names.NONE not in codes
