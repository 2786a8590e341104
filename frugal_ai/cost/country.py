"""Codes of countries: what users write, and what the tables hold."""


def alpha3(code: str) -> str:
    """Turn an ISO 3166-1 alpha-2 code into alpha-3; anything else is left as it is.

    Whether a code names a country is for the table that is asked with it to say.
    """
    if len(code) != 2:
        return code
    import pycountry

    found = pycountry.countries.get(alpha_2=code)
    return code if found is None else str(found.alpha_3)
