"""Colours of pictures, brought to sRGB: what browsers take for granted where no profile says otherwise."""

import io
from itertools import product
from typing import cast

from PIL import Image, ImageChops, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_ALIKE = 3  # of 255: nobody sees the difference


def foreign_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The profile by which the picture's colours are not what they would be without. One that cannot be read says nothing."""
    embedded = image.info.get("icc_profile")
    if not embedded:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        is_srgb = profile.profile.xcolor_space.strip() == "RGB" and _is_srgb(profile)
        _converted(Image.new(_opaque_mode(image), (1, 1)), profile)
    except (OSError, ImageCms.PyCMSError):
        return None
    return None if is_srgb else profile


def in_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    if profile is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    if image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "LA":
        alpha, image = image.getchannel("A"), _converted(image.convert("L"), profile)
        image.putalpha(alpha)
        return image
    return _converted(image, profile)


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whatever it is called: by what becomes of some colours."""
    patches = Image.new("RGB", (64, 1))
    patches.putdata(list(product((0, 85, 170, 255), repeat=3)))
    difference = ImageChops.difference(patches, _converted(patches.copy(), profile))
    return all(most <= _ALIKE for _, most in difference.getextrema())  # type: ignore[misc]


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """In the same place where that is possible: a large one is not there twice."""
    if image.mode in ("RGB", "RGBA"):
        image.load()
        ImageCms.profileToProfile(image, profile, _SRGB, inPlace=True)
        return image
    made = cast(Image.Image, ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB"))  # None only in its place
    return made.convert("L") if image.mode == "L" else made


def _opaque_mode(image: Image.Image) -> str:
    return {"P": "RGB", "PA": "RGB", "1": "RGB", "LA": "L", "I;16": "L"}.get(image.mode, image.mode)
