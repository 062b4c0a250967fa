from convae.models import load as load
