"""Where things are in Google's cloud: at a place made up of project, location and publisher."""

import re
from urllib.parse import quote

from domain.errors import FieldProblem, InvalidForm
from domain.model.catalogue import FormValues
from domain.ports import Target
from infrastructure.providers.dialects.gemini import model_path
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request

PROJECT, LOCATION, GLOBAL_MODELS = "vertex_project_id", "vertex_location", "vertex_global_models"
EVERYWHERE = "global"
HOME = "https://aiplatform.googleapis.com"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")


def placed(target: Target, method: str, publisher: str = "google", field: str = LOCATION) -> Request:
    """Where a method of a model is, without anything to send there; `field` is as in `located`."""
    return located(target, f"publishers/{publisher}/{model_path(target.model.name, method)}", field)


def located(target: Target, path: str, field: str = LOCATION) -> Request:
    """A path at the location in `field`, or else the usual one; everywhere for the models that the form lists so."""
    field = field if entered(target.form, field) else LOCATION
    listed = [model.strip() for model in entered(target.form, GLOBAL_MODELS).split(",")]
    form = {**target.form, field: EVERYWHERE} if target.model.name in listed else target.form
    project = quote(entered(form, PROJECT), safe=":")
    return Request(f"v1/projects/{project}/locations/{_location(form, field)}/{path}", base=_host(form, field))


def _location(form: FormValues, field: str) -> str:
    """InvalidForm for what is no name of a location: it becomes part of a host."""
    location = entered(form, field, EVERYWHERE)
    if not _LABEL.fullmatch(location):
        raise InvalidForm((FieldProblem(field, "must be a location such as global, eu or us-central1"),))
    return location


def _host(form: FormValues, field: str) -> str:
    location = _location(form, field)
    if location == EVERYWHERE:
        return HOME
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"
