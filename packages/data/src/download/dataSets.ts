/** A data set that can be fetched: the MNIST digits, or Zalando's articles of clothing in the same form. */
export type MnistName = 'mnist' | 'fashion-mnist';

/** A file as it lies on every mirror. */
export interface RemoteFile {
  name: string;
  /** Bytes. */
  size: number;
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  sha256: string;
}

export interface DataSet {
  /** Folders that hold the files, as URLs that end with a slash; tried one after the other. */
  mirrors: readonly string[];
  files: readonly RemoteFile[];
  /** What each label stands for, where it is not a digit. */
  classNames?: readonly string[];
}

/**
 * The data sets, with the size and the digest of each file.
 *
 * MNIST: sizes, digests and first mirror of github.com/tensorflow/datasets at 31f1255e57e519a6c004f0b097a2f5cfcf0dde7d,
 * tensorflow_datasets/url_checksums/mnist.txt; second mirror of github.com/pytorch/vision at
 * 01977a187961243eaf66ead246fd92a5c6c7ccfc, torchvision/datasets/mnist.py.
 *
 * Fashion-MNIST: sizes and digests of github.com/tensorflow/datasets at 333639b37af6c6fedf3610a4a2d42f1c6ef6f7d5,
 * tensorflow_datasets/url_checksums/fashion_mnist.txt; the same digests and the first mirror in github.com/keras-team/keras
 * at 75565fb8ab07c9077d8dee4eb80b7e840ff43ba2, keras/src/datasets/fashion_mnist.py; the second mirror is the authors' own
 * repository, whose README.md at 02cf0676df9403f820db28474248ba7d7d1060bb names the folder and the classes.
 */
export const dataSets: Readonly<Record<MnistName, DataSet>> = {
  mnist: {
    mirrors: [
      'https://storage.googleapis.com/cvdf-datasets/mnist/',
      'https://ossci-datasets.s3.amazonaws.com/mnist/',
    ],
    files: [
      {
        name: 'train-images-idx3-ubyte.gz',
        size: 9912422,
        sha256: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
      },
      {
        name: 'train-labels-idx1-ubyte.gz',
        size: 28881,
        sha256: '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
      },
      {
        name: 't10k-images-idx3-ubyte.gz',
        size: 1648877,
        sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
      },
      {
        name: 't10k-labels-idx1-ubyte.gz',
        size: 4542,
        sha256: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
      },
    ],
  },
  'fashion-mnist': {
    mirrors: [
      'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    ],
    files: [
      {
        name: 'train-images-idx3-ubyte.gz',
        size: 26421880,
        sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
      },
      {
        name: 'train-labels-idx1-ubyte.gz',
        size: 29515,
        sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
      },
      {
        name: 't10k-images-idx3-ubyte.gz',
        size: 4422102,
        sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
      },
      {
        name: 't10k-labels-idx1-ubyte.gz',
        size: 5148,
        sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
      },
    ],
    classNames: [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
  },
};
