import hashlib
import http.client

import pytest
import torch

from soilfuse.errors import UserError
from soilfuse.networks import vgg
from soilfuse.networks.vgg import Perceptual, triples, vgg16_features


def write_state_dict(path, prefix="features.", width_divisor=1):
    state = vgg16_features("random", width_divisor, seed=5).state_dict()
    torch.save({f"{prefix}{name}": weight for name, weight in state.items()}, path)
    return state


def test_layers_0_to_30_of_vgg16():
    features = vgg16_features("random", 1, seed=1)
    convolutions = [layer for layer in features if isinstance(layer, torch.nn.Conv2d)]
    assert len(features) == 31
    assert len(convolutions) == 13
    assert isinstance(features[30], torch.nn.MaxPool2d)
    assert sum(w.numel() for w in features.parameters()) == 14_714_688  # the published features
    assert [i for i, layer in enumerate(features) if isinstance(layer, torch.nn.MaxPool2d)] == [
        4,
        9,
        16,
        23,
        30,
    ]


def test_random_weights_come_from_the_seed_and_are_frozen():
    one, same, other = (Perceptual("random", 8, seed) for seed in (1, 1, 2))
    assert one.sha256 == same.sha256 != other.sha256
    assert not any(weight.requires_grad for weight in one.parameters())


def test_random_features_do_not_disturb_the_global_generator():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    Perceptual("random", 16, 1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(("depth", "starts"), [(3, [0]), (4, [0, 1]), (5, [0, 2]), (6, [0, 2, 3])])
def test_triples_cover_all_layers(depth, starts):
    assert triples(depth) == starts
    assert {start + k for start in triples(depth) for k in range(3)} == set(range(depth))


def test_fewer_than_three_layers_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        triples(2)


def test_five_layers_give_the_mean_of_both_triples():
    torch.manual_seed(0)
    loss = Perceptual("random", 16, 1)
    made, target = torch.rand(2, 2, 5, 33, 40)

    def of(layers):
        return loss(made[:, layers], loss.features(target[:, layers]))

    both = loss(made, loss.features(target))
    torch.testing.assert_close(both, (of(slice(0, 3)) + of(slice(2, 5))) / 2)


def test_equal_images_have_no_loss_and_others_a_gradient():
    torch.manual_seed(0)
    loss = Perceptual("random", 16, 1)
    target = torch.rand(1, 3, 35, 40)
    made = torch.rand(1, 3, 35, 40, requires_grad=True)
    assert loss(target, loss.features(target)) == 0
    loss(made, loss.features(target)).backward()
    assert made.grad.abs().sum() > 0


def test_grids_below_32_cells_are_padded_with_zeros():
    torch.manual_seed(0)
    loss = Perceptual("random", 16, 1)
    images = torch.rand(1, 3, 29, 61)
    padded = torch.zeros(1, 3, 32, 61)
    padded[:, :, :29] = images
    assert torch.equal(loss.features(images), loss.features(padded))
    assert loss.features(images[..., :9]).shape[-2:] == (1, 1)


@pytest.mark.parametrize("prefix", ["features.", ""])
def test_weights_from_a_file(tmp_path, prefix):
    state = write_state_dict(tmp_path / "vgg.pth", prefix)
    loss = Perceptual(str(tmp_path / "vgg.pth"), 1, seed=1)
    assert torch.equal(loss.vgg.state_dict()["28.weight"], state["28.weight"])
    assert loss.weights == "vgg.pth"
    assert loss.sha256 == Perceptual("random", 1, seed=5).sha256


def test_weights_of_another_network_are_refused(tmp_path):
    write_state_dict(tmp_path / "narrow.pth", width_divisor=16)
    with pytest.raises(UserError, match="not VGG16's: layer '0.weight'"):
        vgg16_features(str(tmp_path / "narrow.pth"), 1, seed=1)


def test_a_missing_file_names_the_choices(tmp_path):
    with pytest.raises(UserError, match="expected imagenet, random, or the path"):
        vgg16_features(str(tmp_path / "none.pth"), 1, seed=1)


def test_a_file_that_is_no_state_dict_is_refused(tmp_path):
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(UserError, match="not a torch state dict"):
        vgg16_features(str(tmp_path / "text.pth"), 1, seed=1)


def test_only_random_weights_may_be_narrow():
    with pytest.raises(UserError, match="width_divisor is 8 with perceptual.weights 'imagenet'"):
        vgg16_features("imagenet", 8, seed=1)


def test_unreachable_weights_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(vgg, "PUBLISHED", (tmp_path / "nowhere-397923af.pth").as_uri())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match="cannot be had from .* or write random") as caught:
        vgg16_features("imagenet", 1, seed=1)
    assert len(caught.value.problems) == 1


def test_a_download_with_another_checksum_is_refused(monkeypatch, tmp_path):
    write_state_dict(tmp_path / "vgg16-397923af.pth")
    monkeypatch.setattr(vgg, "PUBLISHED", (tmp_path / "vgg16-397923af.pth").as_uri())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(UserError, match="invalid hash value"):
        vgg16_features("imagenet", 1, seed=1)


@pytest.mark.parametrize("junk", [[1, 2], torch.zeros(2), {"features.0.weight": 3}])
def test_whole_files_of_something_else_are_refused(tmp_path, junk):
    torch.save(junk, tmp_path / "junk.pth")
    with pytest.raises(UserError, match="junk.pth is not a torch state dict"):
        vgg16_features(str(tmp_path / "junk.pth"), 1, seed=1)


def test_a_damaged_safetensors_file_is_refused(tmp_path):
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(UserError, match="junk.safetensors is not a whole safetensors file"):
        vgg16_features(str(tmp_path / "junk.safetensors"), 1, seed=1)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give the folder that torch's hub keeps files in; nothing can be fetched into it."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def test_a_cached_file_of_the_published_checksum_is_read(cache, monkeypatch, tmp_path):
    state = write_state_dict(tmp_path / "vgg.pth")
    digest = hashlib.sha256((tmp_path / "vgg.pth").read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(vgg, "PUBLISHED", f"https://nowhere.invalid/vgg16-{digest}.pth")
    (tmp_path / "vgg.pth").rename(cache / f"vgg16-{digest}.pth")
    loss = Perceptual("imagenet", 1, seed=1)
    assert loss.weights == "imagenet"
    assert torch.equal(loss.vgg.state_dict()["28.weight"], state["28.weight"])


def other_weights(path):
    write_state_dict(path)


def cut(size):
    def written(path):
        write_state_dict(path)
        path.write_bytes(path.read_bytes()[:size])

    return written


@pytest.mark.parametrize("plant", [other_weights, cut(0), cut(300), lambda path: path.mkdir()])
def test_a_cached_file_of_another_checksum_is_refused(cache, plant):
    file = cache / "vgg16-397923af.pth"
    plant(file)
    with pytest.raises(UserError) as caught:
        vgg16_features("imagenet", 1, seed=1)
    [line] = caught.value.problems
    assert line.startswith(f"{file} is not the published VGG16 file: SHA-256 ")
    assert "expected 397923af; delete it, and the same command fetches it again" in line
    assert file.exists()  # it may be somebody's


def test_whatever_breaks_a_download_is_one_line(cache, monkeypatch):
    def broken(*_, **__):
        raise http.client.BadStatusLine("<html>")

    monkeypatch.setattr(torch.hub, "download_url_to_file", broken)
    with pytest.raises(UserError, match="cannot be had from https.*put that file on this machine"):
        vgg16_features("imagenet", 1, seed=1)
